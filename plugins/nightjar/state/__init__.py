"""State in a DynamoDB table: a hook, and a deferrable sensor with its trigger."""

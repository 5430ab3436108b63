"""A DynamoDB table of items: hook, deferrable sensors and their triggers."""

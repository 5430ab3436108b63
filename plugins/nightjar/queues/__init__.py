"""SQS queues: a hook that receives and deletes messages, and a trigger that fires while messages wait."""

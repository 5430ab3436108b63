"""What the roles may do."""

from __future__ import annotations

from infra.laptop.bootstrap import roles


def test_the_task_may_put_to_the_prediction_logs_and_to_nothing_else_of_firehose() -> None:
    statements = roles.policies("lake", "artifact")["ecs-task"]
    (allowed,) = [s for s in statements if any(action.startswith("firehose") for action in s["Action"])]
    assert allowed["Action"] == ["firehose:PutRecordBatch"]
    assert allowed["Resource"] == ["arn:aws:firehose:us-east-1:123456789012:deliverystream/nightjar-*-predictions"]
    assert roles.policies("lake", "artifact").keys() == roles.TRUSTED.keys()


def test_no_role_may_make_every_call_of_a_service() -> None:
    statements = [statement for role in roles.policies("lake", "artifact").values() for statement in role]
    assert not [action for statement in statements for action in statement["Action"] if action.endswith("*")]

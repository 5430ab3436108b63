"""``make iam``: the policies of the roles against the calls that a recorded run has made (docs/adr/0029)."""

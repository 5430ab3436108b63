"""Whether a candidate becomes the champion, and what its model package records."""

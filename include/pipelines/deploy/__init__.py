"""Which version a deploy takes, how it is verified, and the live pointer."""

"""Model packages: what their metadata holds, which one is champion, which one a deploy takes. Pure functions, no I/O."""

"""Functions of AWS Lambda. Each folder is the content of one archive, with a module ``main``."""

"""Where the project runs: the laptop (`laptop`), and the local cloud that answers for AWS there (`localcloud`)."""

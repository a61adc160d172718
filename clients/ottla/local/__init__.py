"""A cluster on this machine: its plan, its folder and its processes.

Both the command line (`ottla up`) and the test cluster (`ottla.testing`) stand on this package. It
never imports the server: nodes are isolated child processes.
"""

"""The command line `ottla`.

Modules here import little at the top: what a command needs it imports when it runs, so that help
and completion stay quick.
"""

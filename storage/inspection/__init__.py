"""Looking at logs from outside, without changing anything: `ottla log verify` and `ottla log dump`.

Everything goes through the Vfs and only reads, takes no lock and makes no file, so that it works
beside a running broker and on a mount that is read-only. Nothing here repairs: a broker's start
does, and findings say what it will do.
"""

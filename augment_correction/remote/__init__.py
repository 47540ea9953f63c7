"""Object storage: documents from an address to this machine, and what a run has made from this machine to an address.

fsspec does the talking, with s3fs for `s3://` (the extra `s3`); both are imported when an address is used, and not before.
"""

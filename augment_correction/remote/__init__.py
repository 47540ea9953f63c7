"""Object storage: documents are fetched from an address to this machine, and what a run has made is copied to an address.

fsspec talks to the storage, with s3fs for `s3://` (the extra `s3`). Both are imported only when an address is used.
"""

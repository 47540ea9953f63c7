"""Learning from what users correct in a chat: a correction is found and confirmed, approved ones become demonstrations, masked rows
and probes by a pipeline, the base model is trained on all of them anew, and what it learned is proven before a version may be
used. Nothing is trained that nobody has seen, and nothing becomes active by itself."""

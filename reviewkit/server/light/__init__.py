"""A page's process without IPython's shell and without zmq.

A fork server imports what pages need once; a page is a forked process with one thread and one socket on which it
speaks the websocket's own frames, so that the page server only copies bytes. Voila still executes a real notebook.
"""

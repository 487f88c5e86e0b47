"""The web page: a plug-in of the server, and a client of its API like any other."""

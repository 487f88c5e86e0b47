"""The web page: a blueprint that the server mounts; a client of the REST API like any other."""

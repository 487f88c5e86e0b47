"""The API's types: what travels between server and clients, one module for each path family.

A class has the name of its shape in the API's contract, where it has one. Requests check what
they are given as strictly as the contract says; answers read liberally, so that a client
outlives a server that says more. Nothing here knows the rest of `core`.
"""

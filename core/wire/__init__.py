"""The API's types, shared by server and clients, one module for each path family.

A class has the name of its shape in the API's contract, if it has one. Requests are checked as
strictly as the contract says; answers are read liberally, so that a client also understands a newer
server. Nothing here knows the rest of `core`.
"""

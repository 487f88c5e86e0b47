"""Shared pictures and their ratings: a data set that anybody may use.

A request with `shared: true` gives its pictures, prompts and parameters to the data set, where they
outlive the request until the requester or a moderator removes them. A picture made from a source
picture is never shared, nor is a censored one.
"""

"""Pictures that people share, and what others think of them: a data set that anybody may use.

A request with `shared: true` gives its pictures, prompts and parameters to the data set, where they
outlive the request until the requester or a moderator removes them. A picture that was made from
somebody's own one is never shared, nor is one that its worker censored.
"""

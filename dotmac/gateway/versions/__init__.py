"""Versions of the API: one view code, and what differs said in one place.

`changes` lists the versions and what each renamed, `shapes` turns data from one
version's names to another's, `middleware` applies it to requests and answers,
`openapi` describes each version.
"""

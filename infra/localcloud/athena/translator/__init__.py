"""Translates Trino's queries, which Athena runs, into DuckDB's.

It does no I/O. A DuckDB connection with empty tables of the catalog's types describes the types of expressions.

- ``dialect`` parses a query, ``queries`` translates its clauses, ``expressions`` and ``nodes`` the expressions in them.
- ``operators``, ``casts`` and ``functions*`` hold the rules in which Trino and DuckDB differ.
- ``scope`` finds types, ``types`` compares their names, ``fragments`` holds translated text, ``macros`` is the SQL that
  translated queries call.

What DuckDB cannot compute as Trino does is a call of a Python function (``athena.functions``).

A node or function that is not on a list is refused by name, so a query either has Athena's result or fails.
"""

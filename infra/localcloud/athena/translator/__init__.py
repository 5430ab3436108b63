"""Translates Trino's queries, which Athena runs, into DuckDB's.

It does no I/O. A DuckDB connection with the query's tables, empty, tells it the types of expressions.

- ``dialect`` parses a query and translates its clauses, ``expressions`` what is inside them.
- ``operators``, ``casts`` and ``functions*`` hold the rules in which Trino and DuckDB differ.
- ``scope`` finds types, ``types`` compares their names, ``fragments`` holds translated text, ``macros`` is the SQL that
  translated queries call.

A node or function that is not on a list is refused by name, so a query either has Athena's result or fails.
"""

"""Trino's functions of bytes in DuckDB."""

from __future__ import annotations

from infra.localcloud.athena.translator.calls import FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.fragments import Fragment


@translation(1, 2)
def _from_utf8(call: FunctionCall) -> Fragment:
    call.require("binary", "any")
    if len(call.args) == 1:
        # DuckDB 1.5.5 fails where Trino replaces what is no UTF-8.
        return call.fill("coalesce(TRY(decode({0})), py_from_utf8({0}, chr(65533)))")
    if call.type(1) in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT"):
        return call.fill("py_from_utf8({0}, py_chr(CAST({1} AS BIGINT)))")
    call.require("binary", "varchar")
    return call.fill("py_from_utf8({0}, {1})")


def _decoder(name: str) -> Translation:
    """A function of varchar, or of the same text as varbinary."""

    def handler(call: FunctionCall) -> Fragment:
        if call.is_binary(0):
            return call.fill(f"py_{name}(decode({{0}}))")
        call.require("varchar")
        return call.fill(f"py_{name}({{0}})")

    return Translation(1, 1, handler)


_N, _B, _V = "number", "binary", "varchar"
TABLE: dict[str, Translation] = {
    "to_utf8": template("encode({0})", _V),
    "from_utf8": _from_utf8,
    "to_hex": template("hex({0})", _B),
    "from_hex": _decoder("from_hex"),
    "to_base64": template("to_base64({0})", _B),
    "from_base64": _decoder("from_base64"),
    "to_base64url": template("py_to_base64url({0})", _B),
    "from_base64url": _decoder("from_base64url"),
    "to_base32": template("py_to_base32({0})", _B),
    "from_base32": _decoder("from_base32"),
    "md5": template("unhex(md5({0}))", _B),
    "sha1": template("unhex(sha1({0}))", _B),
    "sha256": template("unhex(sha256({0}))", _B),
    **{name: template(f"py_{name}({{0}})", _B) for name in ("sha512", "crc32", "xxhash64")},
    **{
        f"hmac_{name}": template(f"py_hmac_{name}({{0}}, {{1}})", _B, _B)
        for name in ("md5", "sha1", "sha256", "sha512")
    },
    "to_big_endian_64": template("py_to_big_endian_64(CAST({0} AS BIGINT))", _N),
    "to_big_endian_32": template("py_to_big_endian_32(CAST({0} AS INTEGER))", _N),
    "to_ieee754_64": template("py_to_ieee754_64(CAST({0} AS DOUBLE))", _N),
    "to_ieee754_32": template("py_to_ieee754_32(CAST({0} AS FLOAT))", _N),
    **{
        f"from_{name}": template(f"py_from_{name}({{0}})", _B)
        for name in ("big_endian_64", "big_endian_32", "ieee754_64", "ieee754_32")
    },
}

"""What all tables share."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_N_name)s"})
#: 64 bits everywhere; SQLite wants the plain word for a key that counts by itself.
Whole = BigInteger().with_variant(Integer(), "sqlite")

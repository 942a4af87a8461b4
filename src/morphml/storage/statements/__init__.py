"""Every SQL statement of the stores: one named function each, with a line of purpose.

Parameters have names; those of an UPDATE's or DELETE's condition begin with ``p_``, since plain
column names are taken by the values. States are written into the text, so that partial indexes
are used.
"""

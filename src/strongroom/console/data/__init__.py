"""Working with data: tables, lists, records and their forms."""

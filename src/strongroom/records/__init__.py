"""The room `records`; see ARCHITECTURE.md."""

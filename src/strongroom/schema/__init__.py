"""The room `schema`; see ARCHITECTURE.md."""

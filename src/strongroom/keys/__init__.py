"""The room `keys`; see ARCHITECTURE.md."""

"""The room `access`; see ARCHITECTURE.md."""

"""The room `jobs`; see ARCHITECTURE.md."""

"""The room `identity`; see ARCHITECTURE.md."""

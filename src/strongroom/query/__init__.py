"""The room `query`; see ARCHITECTURE.md."""

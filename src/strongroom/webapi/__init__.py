"""The room `webapi`; see ARCHITECTURE.md."""

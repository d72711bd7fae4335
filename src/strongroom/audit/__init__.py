"""The room `audit`; see ARCHITECTURE.md."""

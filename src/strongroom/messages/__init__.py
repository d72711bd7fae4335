"""The room `messages`; see ARCHITECTURE.md."""

"""The browser interface. Nothing outside this package imports it, or gradio."""

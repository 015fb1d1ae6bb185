"""What the documentation shows of committed results, as Markdown."""

"""Live training for any task: knows no video, no model and no notebook."""

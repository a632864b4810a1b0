"""What a user of rowserve does, and what they see."""

"""What people share: styles and collections of them, and reports of abuse."""

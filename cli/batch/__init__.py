"""Many prompts: asked as fast as the account may, and resumed where they stopped."""

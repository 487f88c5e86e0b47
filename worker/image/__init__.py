"""Pictures: popped orders, and the diffusion model that makes them."""

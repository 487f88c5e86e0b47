"""Pictures: what a pop of them asks for, and the diffusion model that makes them."""

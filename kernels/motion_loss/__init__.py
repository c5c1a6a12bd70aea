from .op import motion_loss, multiscale_motion_loss

__all__ = ["motion_loss", "multiscale_motion_loss"]

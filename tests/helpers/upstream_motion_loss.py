"""The authors' loss layers in NumPy, written from their description, pixel by pixel."""

import math

import numpy as np


def flow_transformer(image, flow, grad):
    """Result and gradients of the warp: loops over the four neighbors."""
    n, channels, height, width = image.shape
    out = np.zeros_like(image)
    image_grad, flow_grad = np.zeros_like(image), np.zeros_like(flow)
    for i, s, t in np.ndindex(n, height, width):
        px = s + flow[i, 1, s, t]
        py = t + flow[i, 0, s, t]
        m0, n0 = int(np.floor(px)), int(np.floor(py))
        for dm in (0, 1):
            for dn in (0, 1):
                m, k = m0 + dm, n0 + dn
                if not (0 <= m < height and 0 <= k < width):
                    continue
                weight_m = 1 - abs(px - m)
                weight_n = 1 - abs(py - k)
                for j in range(channels):
                    pixel, g = image[i, j, m, k], grad[i, j, s, t]
                    out[i, j, s, t] += weight_m * weight_n * pixel
                    image_grad[i, j, m, k] += weight_m * weight_n * g
                    sign_m, sign_n = (1 if dm else -1), (1 if dn else -1)
                    flow_grad[i, 1, s, t] += sign_m * weight_n * pixel * g
                    flow_grad[i, 0, s, t] += sign_n * weight_m * pixel * g
    return {"out": out, "image": image_grad, "flow": flow_grad}


def charbonnier(x, mask, alpha, beta, batch, mask_sum, epsilon=1e-3):
    """Loss and gradient of their layer; mask_sum is that of their whole mask."""
    squares = (beta * x) ** 2 + epsilon**2
    count = batch * mask_sum
    loss = (mask * squares**alpha).sum() / count
    return loss, mask * 2 * alpha * beta**2 * x * squares ** (alpha - 1) / count


def border_mask(height, width, ratio=0.1):
    border = math.floor(min(height, width) * ratio + 0.5)
    mask = np.ones((height, width))
    for b in range(border):
        mask[b] = mask[height - 1 - b] = 0
        mask[:, b] = mask[:, width - 1 - b] = 0
    return mask


def ssim(x, y, kernel=8, stride=8, c1=1e-4, c2=1e-3, sigma=16 / 12):
    """Loss and gradient with respect to x, window by window; theirs has kernel / 6."""
    batch, channels, height, width = x.shape
    i = np.arange(kernel) - kernel / 2.0
    gauss = np.exp(-(i[:, None] ** 2 + i**2) / (2 * sigma**2))
    gauss /= gauss.sum()
    rows = math.ceil((height - kernel) / stride) + 1
    columns = math.ceil((width - kernel) / stride) + 1
    similar, gradient = 0.0, np.zeros_like(x)
    for n, c, ph, pw in np.ndindex(batch, channels, rows, columns):
        top, left = ph * stride, pw * stride
        a = x[n, c, top : top + kernel, left : left + kernel]
        b = y[n, c, top : top + kernel, left : left + kernel]
        weight = gauss[: a.shape[0], : a.shape[1]]
        ux, uy = (weight * a).sum(), (weight * b).sum()
        sx = (weight * a * a).sum() - ux**2
        sy = (weight * b * b).sum() - uy**2
        sxy = (weight * a * b).sum() - ux * uy
        lp = (2 * ux * uy + c1) / (ux**2 + uy**2 + c1)
        cs = (2 * sxy + c2) / (sx + sy + c2)
        similar += lp * cs
        first = 2 * cs * (uy - ux * lp) / (ux**2 + uy**2 + c1)
        second = 2 * lp / (sx + sy + c2)
        gradient[n, c, top : top + kernel, left : left + kernel] -= (
            weight * (first + second * ((b - uy) - cs * (a - ux))) / batch
        )
    return (batch * channels * rows * columns - similar) / batch, gradient


def motion_loss(target, source, flow, factor, weights, mask_shape):
    """Parts and weighted flow gradient of one scale; mask_shape: their (16, 30)."""
    batch, _, height, width = target.shape
    pairs = flow.shape[1] // 2
    mask = border_mask(height, width)
    mask_sum = mask_shape[0] * mask_shape[1] * mask.sum()
    frames = source.reshape(batch * pairs, -1, height, width)
    vectors = (factor * flow).reshape(batch * pairs, 2, height, width)
    warped = flow_transformer(frames, vectors, np.zeros_like(frames))["out"]
    warped = warped.reshape(target.shape)

    photo, grad = charbonnier(target - warped, mask, 0.4, 255.0, batch, mask_sum)
    similarity, ssim_grad = ssim(warped, target)
    through = (weights[2] * ssim_grad - weights[0] * grad).reshape(frames.shape)
    total = factor * flow_transformer(frames, vectors, through)["flow"]
    total = total.reshape(flow.shape)

    smooth = 0.0
    for component in (0, 1):
        f = flow[:, component::2]
        for axis in (3, 2):
            delta = np.zeros_like(f)
            inner = [slice(None)] * 4
            inner[axis] = slice(0, -1)
            delta[tuple(inner)] = np.diff(f, axis=axis)
            value, grad = charbonnier(delta, mask, 0.3, factor, batch, mask_sum)
            smooth += value
            following = np.roll(grad, 1, axis)  # the last difference is always 0
            total[:, component::2] += weights[1] * (following - grad)
    return (photo, smooth, similarity), total

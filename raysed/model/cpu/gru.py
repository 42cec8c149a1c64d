"""A bidirectional GRU on the CPU: both directions in one product per frame, gradients by hand.

torch runs the recurrence as some ten small operations per frame and direction, each recorded for the
gradient. What does not depend on the recurrence is done for all frames at once here, which leaves six
operations per frame forward and four backward. Elsewhere torch's own is used.

Shapes: B clips, U frames, D = 2 directions (the second reads time backwards), I inputs, H units,
G = 3 H gates in torch's order: reset, update, new.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import custom_bwd, custom_fwd
from torch.autograd.function import once_differentiable


class GRU(nn.GRU):
    """An nn.GRU, batch first and bidirectional; state, values and initial weights are the same."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:  # noqa: D102
        if hx is not None or input.device.type != "cpu":
            return super().forward(input, hx)
        x_UBI = input.transpose(0, 1)
        last = []
        for layer in range(self.num_layers):
            weights = (
                torch.stack([getattr(self, f"{name}_l{layer}{way}") for way in ("", "_reverse")])
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h_DUBH = Layer.apply(_both_ways(x_UBI), *weights)
            last.append(h_DUBH[:, -1])
            x_UBI = torch.cat([h_DUBH[0], h_DUBH[1].flip(0)], -1)
        return x_UBI.transpose(0, 1), torch.cat(last)


def _both_ways(x_UBI: Tensor) -> Tensor:
    return torch.stack([x_UBI, x_UBI.flip(0)])


class Layer(torch.autograd.Function):
    """The autograd function of a layer: (D, U, B, I) and the weights of both directions give hidden states
    (D, U, B, H).
    """

    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(  # noqa: D102
        ctx: Any,
        x_DUBI: Tensor,
        w_ih_DGI: Tensor,
        w_hh_DGH: Tensor,
        b_ih_DG: Tensor,
        b_hh_DG: Tensor,
    ) -> Tensor:
        n_directions, frames, clips, _ = x_DUBI.shape
        units = w_hh_DGH.shape[2]
        # The new gate's recurrent bias is inside the reset gate's product; the others can join now.
        split = torch.cat([b_hh_DG[:, : 2 * units], torch.zeros_like(b_hh_DG[:, 2 * units :])], 1)
        inner_D1G = (b_hh_DG - split).unsqueeze(1)
        gates_DUBG = torch.baddbmm(
            (b_ih_DG + split).unsqueeze(1), x_DUBI.flatten(1, 2), w_ih_DGI.transpose(1, 2)
        ).view(n_directions, frames, clips, 3 * units)
        h_DUBH = x_DUBI.new_empty(n_directions, frames + 1, clips, units)
        h_DUBH[:, 0] = 0
        keep = any(ctx.needs_input_grad)
        inner_DUBH = torch.empty_like(h_DUBH[:, 1:]) if keep else None
        recurrent_DHG = w_hh_DGH.transpose(1, 2).contiguous()
        states, all_gates = h_DUBH.unbind(1), gates_DUBG.unbind(1)
        product_DBG = x_DUBI.new_empty(n_directions, clips, 3 * units)
        smooth_DB2H, new_DBH = product_DBG[..., : 2 * units], product_DBG[..., 2 * units :]
        for u, gates_DBG in enumerate(all_gates):
            torch.baddbmm(inner_D1G, states[u], recurrent_DHG, out=product_DBG)
            reset_update = gates_DBG[..., : 2 * units].add_(smooth_DB2H).sigmoid_()
            new = gates_DBG[..., 2 * units :].addcmul_(reset_update[..., :units], new_DBH).tanh_()
            torch.lerp(new, states[u], reset_update[..., units:], out=states[u + 1])
            if inner_DUBH is not None:
                inner_DUBH[:, u] = new_DBH
        if keep:
            ctx.save_for_backward(x_DUBI, w_ih_DGI, w_hh_DGH, gates_DUBG, inner_DUBH, h_DUBH)
        return h_DUBH[:, 1:]

    @staticmethod
    @once_differentiable
    @custom_bwd(device_type="cpu")
    def backward(  # type: ignore[override]  # noqa: D102
        ctx: Any, *grad_outputs: Any
    ) -> tuple[Tensor, ...]:
        x_DUBI, w_ih_DGI, w_hh_DGH, gates_DUBG, inner_DUBH, h_DUBH = ctx.saved_tensors
        reset, update, new = gates_DUBG.chunk(3, -1)
        before_DUBH = h_DUBH[:, :-1]
        # The gradient of each gate is that of the state times a factor known beforehand.
        of_new = (1 - update) * (1 - new * new)
        of_update = (before_DUBH - new) * update * (1 - update)
        of_reset = of_new * inner_DUBH * reset * (1 - reset)
        factors_DUB3H = torch.stack([of_reset, of_update, of_new * reset], 3)
        state_DUBH = grad_outputs[0].clone()
        gates_grad_DUB3H = torch.empty_like(factors_DUB3H)
        states, factors, found = (
            t.unbind(1) for t in (state_DUBH, factors_DUB3H, gates_grad_DUB3H)
        )
        for u in reversed(range(len(states))):
            torch.mul(states[u].unsqueeze(2), factors[u], out=found[u])
            if u:
                states[u - 1].addcmul_(states[u], update[:, u])
                states[u - 1].baddbmm_(found[u].flatten(2), w_hh_DGH)
        recurrent_DNG = gates_grad_DUB3H.flatten(3).flatten(1, 2)
        w_hh = recurrent_DNG.transpose(1, 2) @ before_DUBH.flatten(1, 2)
        b_hh = recurrent_DNG.sum(1)
        gates_grad_DUB3H[..., 2, :] = state_DUBH * of_new
        w_ih = recurrent_DNG.transpose(1, 2) @ x_DUBI.flatten(1, 2)
        x = (recurrent_DNG @ w_ih_DGI).view_as(x_DUBI)
        return x, w_ih, w_hh, recurrent_DNG.sum(1), b_hh

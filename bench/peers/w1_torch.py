"""W1 in PyTorch: [544, 2] -> 5 -> 2, both linear, MSE over both outputs, full batch, Adam."""

import protocol

torch = protocol.need("torch")
options = protocol.arguments()
torch.set_num_threads(options.threads)

x, y = (torch.from_numpy(a) for a in protocol.data(544, 2, 2))
(w1, b1), *heads = protocol.layers([(2, 5), (5, 1), (5, 1)])
model = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Linear(5, 2))
with torch.no_grad():
    model[0].weight.copy_(torch.from_numpy(w1.T.copy()))
    model[0].bias.copy_(torch.from_numpy(b1))
    for i, (w, b) in enumerate(heads):
        model[1].weight[i].copy_(torch.from_numpy(w[:, 0].copy()))
        model[1].bias[i] = float(b[0])
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=options.fused)


def step():
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach()


protocol.serve(step)

"""torchjd's aggregators alone, in double precision as polytask's: weights of a Gramian, or a direction where it has no
weighting that is called on one. The inputs are those of src/aggregators.rs, and so are the settings."""

import protocol

INPUTS, ANSWERS = 8, 4

options = protocol.arguments()
torch, aggregation = protocol.need("torch", "torchjd.aggregation")
torch.set_num_threads(options.threads)

ON_GRAMIANS = {
    "upgrad": lambda tasks: aggregation.UPGradWeighting(),
    "dualproj": lambda tasks: aggregation.DualProjWeighting(),
    "mgda": lambda tasks: aggregation.MGDAWeighting(),
    "cagrad": lambda tasks: aggregation.CAGradWeighting(c=0.5),
    "pcgrad": lambda tasks: aggregation.PCGradWeighting(),
    "gradvac": lambda tasks: aggregation.GradVacWeighting(),
    "imtl_g": lambda tasks: aggregation.IMTLGWeighting(),
    "fairgrad": lambda tasks: aggregation.FairGradWeighting(alpha=1.0),
    "aligned": lambda tasks: aggregation.AlignedMTLWeighting(),
    "krum": lambda tasks: aggregation.KrumWeighting(n_byzantine=0),
}
ON_JACOBIANS = {
    "nash": lambda tasks: aggregation.NashMTL(n_tasks=tasks),
    "config": lambda tasks: aggregation.ConFIG(),
    "trimmed_mean": lambda tasks: aggregation.TrimmedMean(trim_number=1),
}

call = inputs = None
turn = 0


def step():
    global turn
    answer = call(inputs[turn % INPUTS])
    turn += 1
    return answer


def turn_to(method, tasks):
    global call, inputs, turn
    columns = 2 * tasks
    rows = protocol.uniform(1000 + tasks, (INPUTS, tasks, columns), 1.0)
    jacobians = [torch.from_numpy(j).double() for j in rows]
    turn = 0
    if method in ON_GRAMIANS:
        call, inputs = ON_GRAMIANS[method](tasks), [j @ j.T for j in jacobians]
    elif method in ON_JACOBIANS:
        call, inputs = ON_JACOBIANS[method](tasks), jacobians
    else:
        raise ValueError(f"there is no {method} here")
    return [step().tolist() for _ in range(ANSWERS)]


def timed():
    step()  # the answer is dropped: there is no loss to tell


protocol.serve(timed, turn_to)

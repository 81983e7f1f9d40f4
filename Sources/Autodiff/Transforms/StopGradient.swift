/// The same value as a constant for every transform that is running, at every order.
public func stopGradient(_ x: Tensor) -> Tensor { x.with(trace: nil) }

/// The same tree as a constant for every transform that is running, at every order.
public func stopGradient<T: TensorTree>(_ tree: T) -> T { tree.mapTensors { stopGradient($0) } }

/// Where the functions of a functional problem are sought.
public enum FunctionClass: Sendable {
  /// Linear in its weights: fixed features, a table, a kernel.
  case linear(LinearClass)
  /// A network in training.
  case network(NetworkClass)
}

Gem::Specification.new do |spec|
  spec.name = "checker"
  spec.version = "1.0.0"
  spec.summary = "Is needed by tests alone"
  spec.authors = ["Nobody"]
  spec.license = "Apache-2.0"
  spec.files = ["lib/checker.rb"]
end

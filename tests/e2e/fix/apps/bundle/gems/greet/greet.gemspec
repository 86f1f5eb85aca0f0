Gem::Specification.new do |spec|
  spec.name = "greet"
  spec.version = "1.0.0"
  spec.summary = "Tells the version of SQLite"
  spec.authors = ["Nobody"]
  spec.license = "Apache-2.0"
  spec.files = ["lib/greet.rb", "ext/greet/greet.c", "ext/greet/extconf.rb"]
  spec.extensions = ["ext/greet/extconf.rb"]
end

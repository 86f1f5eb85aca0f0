module Checker; end

module go-service

go 1.24

require smoothtopk v0.0.0

replace smoothtopk => ../../bindings/go
